"""python -m ticketing.store upgrade | check"""

from kernel.sql.migrate import main

main("ticketing")

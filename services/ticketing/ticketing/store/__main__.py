"""python -m ticketing.store upgrade | check | rewrap"""

from kernel.sql.migrate import main

main("ticketing")

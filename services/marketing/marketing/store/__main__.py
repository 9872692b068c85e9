"""python -m marketing.store upgrade | check"""

from kernel.sql.migrate import main

main("marketing")

"""python -m marketing.store upgrade | check | rewrap"""

from kernel.sql.migrate import main

main("marketing")

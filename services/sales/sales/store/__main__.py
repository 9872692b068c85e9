"""python -m sales.store upgrade | check | rewrap"""

from kernel.sql.migrate import main

main("sales")

"""python -m sales.store upgrade | check"""

from kernel.sql.migrate import main

main("sales")

"""python -m customer.store upgrade | check | rewrap"""

from kernel.sql.migrate import main

main("customer")

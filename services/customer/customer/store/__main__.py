"""python -m customer.store upgrade | check"""

from kernel.sql.migrate import main

main("customer")

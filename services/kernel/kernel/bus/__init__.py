"""Facts between services: the outbox is relayed to RabbitMQ, and events are heard reliably.

Only the events process imports the parts that need nameko and eventlet; topology, publisher and
deadletters do without them. This file imports nothing, so that `kernel.bus.green` comes first.
"""

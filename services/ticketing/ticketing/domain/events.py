"""Facts the ticketing service tells; the fields are those of crm/ticketing/v1/events.proto."""

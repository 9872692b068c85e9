"""Facts the marketing service tells; the fields are those of crm/marketing/v1/events.proto."""

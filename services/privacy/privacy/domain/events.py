"""Facts the privacy service tells; the fields are those of crm/privacy/v1/events.proto."""

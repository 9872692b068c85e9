"""The crm command."""

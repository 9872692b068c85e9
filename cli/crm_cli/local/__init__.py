"""A whole installation on one machine: servers, databases, certificates, processes."""

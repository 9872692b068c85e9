"""A customer's whole life, as a client of the gateway sees it: lead, contract, complaint, mails, erasure."""

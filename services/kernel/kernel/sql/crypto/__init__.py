"""Personal data at rest: keys per subject and class, sealed documents, blind indexes."""

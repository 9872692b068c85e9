"""Names and other short texts in the forms in which they are compared and searched."""

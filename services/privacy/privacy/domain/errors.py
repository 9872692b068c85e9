"""What can be in the way of a wish to the privacy service."""

"""What the front door says of itself: OpenAPI for the calls, AsyncAPI for the events, a page to read both."""

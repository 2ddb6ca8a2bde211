"""What the server says about itself: log events, metrics, secrets kept out of both."""

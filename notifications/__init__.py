"""What is said to whom, outside the portal, and by which channel."""

"""What people and their systems see of the hub over HTTP."""

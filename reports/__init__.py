"""What analysts and boards see: figures in SQL, and how they are kept up. Knows models and rules alone."""

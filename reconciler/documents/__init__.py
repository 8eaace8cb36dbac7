"""Plans, reports and drift as JSON documents, and back."""

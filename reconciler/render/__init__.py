"""Plans, reports and drift as text and as documents for programs."""

"""A load generator that plays users of shop, and tells whose fault each failed request was."""

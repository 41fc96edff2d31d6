"""From a decision to a provider and back: intent, send, receipts, doubt."""

"""What may be done to a referral: one verb, one act, one transaction."""

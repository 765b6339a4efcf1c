"""What work costs: price lists, holds, settlement by the hour, refunds."""

"""What data that lies in the park costs: GiB-months, booked once for each project and day."""

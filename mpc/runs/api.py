router_entries = []

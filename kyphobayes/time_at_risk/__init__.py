"""Events in a time at risk: what rates mean for patients and centres, and the witnesses beside them."""

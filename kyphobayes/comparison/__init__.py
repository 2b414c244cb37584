"""Two treatments in the same studies: answers from posteriors, and the witnesses beside them."""

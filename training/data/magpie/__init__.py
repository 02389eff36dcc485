"""Instructions and answers that a model writes by itself, from nothing but the head of a user's turn (Xu et al., Magpie, 2024)."""

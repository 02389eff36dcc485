"""Chats from English into Basque by a model that is shown how, each text checked."""

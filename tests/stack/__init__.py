"""The whole app on the local stack: Azurite, the Functions runtime, the real SDK clients, HTTP over sockets."""

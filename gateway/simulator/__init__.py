"""The demo's devices and networks: they speak to the gateway as the real providers do. Part of no production installation."""

"""One module per resource of the provider; `components.provider.registry` lists them."""

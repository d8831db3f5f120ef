"""From `launch.yaml` and `Pulumi.ENV.yaml` to frozen settings; `launch.config.load` puts the steps together."""

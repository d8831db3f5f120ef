"""The provider plugin `pulumi-resource-launch`: resources that no cloud provider offers."""

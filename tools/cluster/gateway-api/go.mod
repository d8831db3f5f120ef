// Only names the Gateway API whose custom resource definitions are read out of the module; nothing is built from it.
module launch.local/tools/cluster/gateway-api

go 1.26.0

require sigs.k8s.io/gateway-api v1.6.3

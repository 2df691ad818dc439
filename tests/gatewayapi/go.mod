// The definitions of Gateway API that the test world installs. Nothing is built from this: the module's files in Go's
// cache are all that is needed.
module lath.dev/tests/gatewayapi

go 1.26.0

require sigs.k8s.io/gateway-api v1.6.3

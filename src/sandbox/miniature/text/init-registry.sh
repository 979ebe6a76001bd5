#!/bin/sh
# A stand-in for init-registry.sh from sealer's sandbox: it would load what is in ../images and start the registry.
echo "init-registry.sh: a stand-in from sealer's sandbox, which does nothing"

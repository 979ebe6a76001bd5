#!/bin/sh
# A stand-in for init.sh from sealer's sandbox: it would prepare the node for kubelet.
echo "init.sh: a stand-in from sealer's sandbox, which does nothing"

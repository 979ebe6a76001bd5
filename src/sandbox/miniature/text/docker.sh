#!/bin/sh
# A stand-in for docker.sh from sealer's sandbox: it would unpack ../cri/docker.tar.gz into /usr/bin and start the engine.
echo "docker.sh: a stand-in from sealer's sandbox, which does nothing"

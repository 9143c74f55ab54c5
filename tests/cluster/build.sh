#!/usr/bin/env bash
# Builds a real control plane into FOLDER/bin from the Go module proxy: etcd, kube-apiserver, kube-controller-manager,
# kube-scheduler, kube-state-metrics; Prometheus is Debian's. Needs Go; takes a quarter of an hour the first time.
set -euo pipefail
folder=${1:?usage: build.sh FOLDER}
kubernetes=1.34.4 etcd=3.5.21 state_metrics=2.18.0
export GOFLAGS=-mod=mod
mkdir -p "$folder/bin"
folder=$(cd "$folder" && pwd)

module() { # module NAME REQUIRED@VERSION [replace lines on stdin]: an empty module of ours that requires another
  mkdir -p "$folder/$1"
  cd "$folder/$1"
  { echo "module gumshoe/$1"; echo; echo "go 1.24.0"; cat; } > go.mod
  go get "$2"
}

if [ ! -x "$folder/bin/kube-scheduler" ]; then
  for part in api apiextensions-apiserver apimachinery apiserver cli-runtime client-go cloud-provider cluster-bootstrap \
    code-generator component-base component-helpers controller-manager cri-api cri-client csi-translation-lib \
    dynamic-resource-allocation endpointslice externaljwt kube-aggregator kube-controller-manager kube-proxy \
    kube-scheduler kubectl kubelet metrics mount-utils pod-security-admission sample-apiserver; do
    echo "replace k8s.io/$part => k8s.io/$part v0.${kubernetes#1.}"
  done | module kubernetes "k8s.io/kubernetes@v$kubernetes"
  go build -o "$folder/bin/" k8s.io/kubernetes/cmd/kube-{apiserver,controller-manager,scheduler}
fi
if [ ! -x "$folder/bin/etcd" ]; then
  module etcd "go.etcd.io/etcd/server/v3@v$etcd" < /dev/null
  go build -o "$folder/bin/etcd" go.etcd.io/etcd/server/v3
fi
if [ ! -x "$folder/bin/kube-state-metrics" ]; then
  module kube-state-metrics "k8s.io/kube-state-metrics/v2@v$state_metrics" < /dev/null
  go build -o "$folder/bin/kube-state-metrics" k8s.io/kube-state-metrics/v2
fi
# Without Debian's package (no network, another distribution) the cases run on Kubernetes alone.
if [ ! -x "$folder/bin/prometheus" ]; then
  cd "$folder"
  { apt-get download -qq prometheus && dpkg -x prometheus_*.deb root && cp root/usr/bin/prometheus bin/; } || true
fi

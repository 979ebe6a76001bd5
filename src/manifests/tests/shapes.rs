//! Small manifests after the shapes of real ones, each written here.

/// A manifest.
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    pub(crate) text: &'static str,
    /// What the stage's lists name.
    pub(crate) listed: &'static [&'static str],
}

const fn shape(name: &'static str, text: &'static str) -> Shape {
    Shape { name, text, listed: &[] }
}

pub(crate) const ALL: &[Shape] = &[
    Shape {
        name: "a storage operator: images in arguments, environment and a ConfigMap's keys",
        listed: &["rook/ceph:v1.6.11"],
        text: "\
# image: not/this:1
kind: ConfigMap
apiVersion: v1
metadata: {name: operator-config}
data:
  CSI_LOG_LEVEL: \"0\"
  ROOK_CSI_CEPH_IMAGE: \"quay.io/cephcsi/cephcsi:v3.3.1\"
  # ROOK_CSI_REGISTRAR_IMAGE: \"k8s.gcr.io/sig-storage/csi-node-driver-registrar:v2.0.1\"
  CSI_ATTACHER_IMAGE: k8s.gcr.io/sig-storage/csi-attacher:v3.0.2
---
apiVersion: apps/v1
kind: Deployment
spec:
  template:
    spec:
      containers:
      - name: rook-ceph-operator
        image: rook/ceph:v1.6.11
        imagePullPolicy: IfNotPresent
        args: [ceph, operator, --snapshotter=quay.io/k/snap:v4.0.0, --log=/var/x:1]
        env:
        - {name: ROOK_DISCOVER_IMAGE, value: 'rook/ceph:v1.6.11'}
        - {name: ROOK_CSI_RESIZER, value: \"k8s.gcr.io/sig-storage/csi-resizer:v1.0.1\"}
        - {name: POD_NAME, value: rook}
",
    },
    shape(
        "monitoring: an operator that starts other images, and its custom resource",
        "\
apiVersion: apps/v1
kind: Deployment
metadata: {labels: {app.kubernetes.io/version: 0.47.0}}
spec:
  template:
    spec:
      containers:
      - args:
        - --kubelet-service=kube-system/kubelet
        - --prometheus-config-reloader=quay.io/prometheus-operator/prometheus-config-reloader:v0.47.0
        - --web.listen-address=127.0.0.1:8080
        image: quay.io/prometheus-operator/prometheus-operator:v0.47.0
---
apiVersion: monitoring.coreos.com/v1
kind: Prometheus
spec:
  image: quay.io/prometheus/prometheus
  version: v2.26.0
  alerting: {alertmanagers: [{port: web, name: main:9093}]}
  externalUrl: http://prometheus.example.com/a:1
",
    ),
    shape(
        "a message queue: images as parts of a custom resource",
        "\
apiVersion: example.org/v1
kind: PulsarCluster
spec:
  brokerImage: apachepulsar/pulsar:2.8.0
  zookeeper:
    image: {repository: quay.io/pulsar/zk, tag: v1, pullPolicy: Always}
  proxy:
    image:
      registry: docker.io
      repository: nginx   # short
      tag: \"1.25\"
  sidecarImage: {name: gcr.io/x/side, version: v2}
  byDigest:
    image:
      repository: quay.io/a/d
      digest: sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03
  tool: {image: quay.io/foo/bar, imageTag: v1.2}
  noTag: {image: {repository: quay.io/foo/none}}
",
    ),
    shape(
        "a provisioner: a pod and settings that stand as text in a ConfigMap",
        "\
kind: ConfigMap
apiVersion: v1
data:
  config.json: |-
    {\"nodePathMap\":[{\"node\":\"DEFAULT\",\"paths\":[\"/opt\"]}], \"helper_image\":\"ghcr.io/x/helper:v1\"}
  setup: |-
    #!/bin/sh
    # pulls quay.io/not/this:1
    crictl pull quay.io/is/this:2 || docker run --rm \"quay.io/and/that:3\".
  helperPod.yaml: |-
    apiVersion: v1
    kind: Pod
    spec:
      containers:
      - name: helper-pod
        image: busybox
",
    ),
    shape(
        "serverless: a key of a ConfigMap, an example of comments, a placeholder of its build",
        "\
apiVersion: v1
kind: ConfigMap
metadata: {name: config-deployment}
data:
  queue-sidecar-image: gcr.io/k/queue:v1
  registries-skipping-tag-resolving: \"kind.local,ko.local,dev.local\"
  _example: |
    # queue-sidecar-image: gcr.io/k/not-this:v1
---
apiVersion: v1
kind: Pod
spec:
  containers:
  - image: ko://knative.dev/serving/cmd/queue
",
    ),
    shape(
        "a mesh: a template inside of a ConfigMap, and its values as JSON",
        "\
apiVersion: v1
kind: ConfigMap
data:
  config: |
    policy: enabled
    template: |
      initContainers:
      {{- if .Values.cni }}
      - name: istio-init
        image: \"{{ .Values.hub }}/proxyv2:{{ .Values.tag }}\"
      {{- else }}
        image: gcr.io/istio-release/proxyv2:1.9.1
      {{- end }}
  values: |-
    {
      \"global\": {\"hub\": \"gcr.io/istio-release\", \"proxy\": {\"image\": \"proxyv2\"}, \"tag\": \"1.9.1\"},
      \"tracer\": \"docker.io/jaegertracing/all-in-one:1.20\"
    }
",
    ),
    shape(
        "continuous integration: digests in arguments",
        "\
apiVersion: apps/v1
kind: Deployment
spec:
  template:
    spec:
      containers:
      - name: tekton-pipelines-controller
        image: gcr.io/tekton-releases/controller:v0.24.3@sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03
        args: [
          \"-git-image\", \"gcr.io/tekton-releases/git-init@sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03\",
          \"-shell-image=gcr.io/distroless/base:debug\", \"-version\", \"v0.24.3\"]
",
    ),
    shape(
        "a workflow engine: names that look like images, containers of custom resources",
        "\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {annotations: {of: 'argoproj.io/v1alpha1:Application'}}
spec:
  templates:
  - container: {image: docker/whalesay, command: [cowsay]}
  - containers:
    - {name: main, image: alpine:3.7}
    - {name: none}
    - {name: wrong, image: 'x y'}
    - {name: pattern, image: '!*:latest'}
    - {name: expression, image: $(params.image)}
    - {name: empty, image: ''}
",
    ),
    shape(
        "a database operator: keys in other spellings, lists of images as text",
        "\
apiVersion: acid.zalan.do/v1
kind: OperatorConfiguration
configuration:
  docker_image: registry.opensource.zalan.do/acid/spilo-13:2.0-p2
  etcd_host: \"\"
  min_instances: -1
  kubernetes: {cluster_domain: cluster.local}
  connection_pooler: {connection_pooler_image: \"registry.opensource.zalan.do/acid/pgbouncer:master-12\"}
  userImage: yes
  diskImage: win10.qcow2
  KAFKA_IMAGES: |
    2.7.0=quay.io/strimzi/kafka:0.24.0-kafka-2.7.0
    2.8.0=quay.io/strimzi/kafka:0.24.0-kafka-2.8.0
",
    ),
    shape(
        "an OLM service version: related images, an annotation, examples as JSON",
        "\
apiVersion: operators.coreos.com/v1alpha1
kind: ClusterServiceVersion
metadata:
  annotations:
    containerImage: quay.io/example/operator:v1
    alm-examples: |-
      [
        {\"apiVersion\": \"x/v1\", \"kind\": \"X\", \"spec\": {\"image\": \"quay.io\\/example\\/x:1\", \"size\": 3}}
      ]
    alm-one-line: '[{\"kind\": \"Y\", \"spec\": {\"note\": \"it''s\", \"image\": \"quay.io/example/y:1\"}}]'
spec:
  relatedImages:
  - {name: default, image: 'quay.io/coreos/etcd@sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03'}
  icon: [{base64data: aW1hZ2U=, mediatype: image/svg+xml}]
",
    ),
    shape(
        "what helm renders: sources, quotes, a hook",
        "\
---
# Source: app/templates/deployment.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  annotations: {\"helm.sh/hook\": pre-install}
spec: {template: {spec: {initContainers: [{image: \"docker.io/bitnami/redis:6.2\"}], containers: [{image: nginx}]}}}
---
# Source: app/templates/job.yaml
apiVersion: batch/v1beta1
kind: CronJob
spec: {jobTemplate: {spec: {template: {spec: {containers: [{image: 'localhost:5000/x'}]}}}}}
",
    ),
    shape(
        "JSON on one line and on several, with escapes",
        "{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [\n  {\"kind\": \"Pod\", \"spec\": {\"containers\": [{\"image\":\"quay.io\\/a\\u002fb:1\"}]}},\n  {\"kind\": \"ConfigMap\", \"data\": {\"a.yaml\": \"kind: Pod\\nspec:\\n  containers:\\n  - image: \\\"nginx:1\\\"\\n\", \"s\": \"\\ud83d\\ude00\\n docker pull quay.io/x/y:1\"}}\n]}\n",
    ),
    shape(
        "Windows' line ends and a byte order mark",
        "\u{feff}apiVersion: v1\r\nkind: Pod\r\nspec:\r\n  containers:\r\n  - image: nginx:1 # c\r\n    args:\r\n    - --x=quay.io/a/b:1\r\n---\r\nkind: ConfigMap\r\ndata:\r\n  a: |\r\n    kind: Pod\r\n    spec: {containers: [{image: busybox:1}]}\r\n",
    ),
    shape("tabs where YAML allows them", "kind: Pod\nspec:\n  containers:\n  -\timage:\t'nginx:1'\t# c\n    env: [{\tvalue: quay.io/a/b:1\t}]\n"),
    shape(
        "anchors of scalars and collections",
        "\
kind: List
items:
- kind: Pod
  spec: &spec
    containers:
    - image: &img quay.io/a/b:1
- kind: Pod
  spec: *spec
- kind: Pod
  spec: {containers: [{image: *img}]}
- kind: X
  image: &parts {repository: quay.io/p/q, tag: v1}
- kind: Y
  image: *parts
",
    ),
    shape(
        "an anchor that stands for something else, too, behind a reference that does not",
        "kind: Pod\nspec:\n  containers:\n  - image: a/b:1\n  - image: &name busybox\n    name: *name\n",
    ),
    shape("an anchor that is no reference", "kind: Pod\nx: &x Bad Image\nspec:\n  containers:\n  - image: *x\n"),
    shape(
        "documents in strings, two and three levels deep, in every style",
        "\
kind: ConfigMap
data:
  folded: >-
    kind: Pod

    spec: {containers: [{image: quay.io/f/o:1}]}
  double: \"kind: Pod\\nspec:\\n\\
    \\x20 containers:\\n  - image: nginx\\n    note: \\\"q\\\"\\n\"
  single: 'kind: Pod

    spec: {containers: [{image: ''nginx:2''}]}'
  outer: |
    kind: ConfigMap
    data:
      inner: |
        kind: ConfigMap
        data:
          deep: \"{\\\"kind\\\": \\\"Pod\\\", \\\"image\\\": \\\"quay.io/deep/est:1\\\"}\"
",
    ),
    shape(
        "schemas, a status and what was last applied",
        "\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  annotations: {image: a/b:1}
spec:
  validation: {openAPIV3Schema: {example: {image: c/d:1}}}
  conversion: {webhook: {serviceImage: quay.io/conv/ert:1}}
  versions:
  - name: v1
    schema:
      openAPIV3Schema:
        properties:
          x:
            description: |
              Set it like
              image: foo
status: {image: quay.io/s/t:1}
---
kind: Pod
metadata:
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: |
      {\"kind\":\"Pod\",\"spec\":{\"containers\":[{\"image\":\"quay.io/last/applied:1\"}]}}
spec: {containers: [{image: 'e/f:1'}]}
status: {containerStatuses: [{image: 'e/f:1', imageID: 'docker.io/e/f:1'}]}
",
    ),
    shape(
        "files that are no manifests: values and a pipeline",
        "\
image: {repository: quay.io/a/b, tag: v1}
other: quay.io/not/this:1
sidecarImage: quay.io/told/only:1
queue-sidecar-image: gcr.io/k/queue:v1
build:
  image: golang:1.16
  script: [docker pull quay.io/not/that:1]
",
    ),
    shape("a key twice", "kind: Pod\nspec:\n  containers:\n  - image: a/b:1\n    name: x\n    image: c/d:1\n"),
    shape(
        "what only looks like an image",
        "\
kind: X
apiVersion: argoproj.io/v1alpha1
spec:
  imagePullPolicy: Always
  imagePullSecrets: [{name: quay.io/x}]
  imageID: docker.io/a/b:1x/
  host: localhost:8080
  hub: sea.hub:5000
  probe: 127.0.0.1:8080/healthz
  url: https://quay.io/a/b:1
  image: a picture
  time: '12:30'
  fooImage: 12:30
  range: 10.0.0.0/24
  at: 2021-01-01T00:00:00Z
  words: key:value
  scan: {image: true}
",
    ),
    shape(
        "what points at the cluster's own registry",
        "kind: X\nspec: {fooImage: 'sea.hub:5000/a/b', image: 'sea.hub:5000/c/d:1', env: 'A=sea.hub:5000/e/f:1', none: 'sea.hub:5000/g'}\n",
    ),
    shape("Kubernetes' own object that says its image wrongly", "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: 5}, {image: [1]}, {image: }, {image: $(IMG)}, {image: '{{ .x }}'}, {image: 'nginx:1.25 '}, {image: quay.io/Foo/bar:v1}]}\n"),
    shape("sealer's own document", "apiVersion: sealer.cloud/v2\nkind: Cluster\nspec:\n  image: kubernetes:v1.19.8\n"),
    shape("an image as a volume", "kind: Pod\nspec:\n  volumes:\n  - {name: a, image: {reference: 'quay.io/v/o', pullPolicy: Always}}\n  - {name: b, image: {reference: Bad}}\n"),
    shape("no YAML", "kind: Pod\nspec: [\n  image: nginx:1\n  sidecar: quay.io/a/b:1\n"),
    Shape {
        name: "names that a list has, in other spellings, and words that are none",
        listed: &["rook/ceph:v1", "docker.io/library/nginx:latest", "busybox:1"],
        text: "kind: X\nspec: [rook/ceph:v1, --image=docker.io/rook/ceph:v1, nginx, 'nginx:latest', rook/ceph:v2, {name: busybox, image: busybox}, 'index.docker.io/library/busybox:1']\n",
    },
];

// SPDX-License-Identifier: Apache-2.0
// check.cjs FILE - validates Kubernetes manifests (YAML, several documents) with the models of the npm package kubernetes-models
// and its sisters for KEDA and the Prometheus operator, offline.
//
// Their validators let unknown fields pass, and a misspelt field is the most usual mistake. But a validator looks at each field that its
// schema knows, and at all of a map; so the manifests are handed to it behind proxies that note what is looked at, and what nobody
// looked at is unknown.
"use strict";
const fs = require("fs");
const { createRequire } = require("module");
const modules = createRequire(process.env.MANIFEST_MODULES + "/");
const yaml = modules("yaml");

const kinds = {
  "apps/v1 Deployment": ["kubernetes-models/apps/v1/Deployment", ["spec"]],
  "v1 Service": ["kubernetes-models/v1/Service", ["spec"]],
  "v1 ConfigMap": ["kubernetes-models/v1/ConfigMap", ["data"]],
  "v1 ServiceAccount": ["kubernetes-models/v1/ServiceAccount", ["automountServiceAccountToken"]],
  "policy/v1 PodDisruptionBudget": ["kubernetes-models/policy/v1/PodDisruptionBudget", ["spec"]],
  "networking.k8s.io/v1 NetworkPolicy": ["kubernetes-models/networking.k8s.io/v1/NetworkPolicy", ["spec"]],
  "monitoring.coreos.com/v1 ServiceMonitor": ["@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor", ["spec"]],
  "keda.sh/v1alpha1 ScaledObject": ["@kubernetes-models/keda/keda.sh/v1alpha1/ScaledObject", ["spec"]],
};

// What was looked at, as paths; the path of a map that was gone through ends in "*".
function watched(value, path, seen) {
  if (value === null || typeof value !== "object") return value;
  return new Proxy(value, {
    get(target, key) {
      if (typeof key === "symbol") return target[key];
      seen.add(path + "/" + key);
      return watched(target[key], path + "/" + key, seen);
    },
    ownKeys(target) {
      seen.add(path + "/*");
      return Reflect.ownKeys(target);
    },
  });
}

function* unknown(value, path, seen) {
  if (value === null || typeof value !== "object") return;
  for (const key of Object.keys(value)) {
    const here = path + "/" + key;
    if (!seen.has(here) && !seen.has(path + "/*")) yield here;
    else yield* unknown(value[key], here, seen);
  }
}

function* check(manifest) {
  const kind = manifest.apiVersion + " " + manifest.kind;
  const known = kinds[kind];
  if (!known) {
    yield "no model for this kind: add it to check.cjs";
    return;
  }
  const Model = modules(known[0])[manifest.kind];
  const seen = new Set();
  const model = new Model(); // its fields are set afterwards: the constructor would copy them, and so look at all
  for (const key of Object.keys(manifest)) {
    if (!["apiVersion", "kind", "metadata", ...known[1]].includes(key)) yield "unknown field /" + key;
    seen.add("/" + key);
    model[key] = watched(manifest[key], "/" + key, seen);
  }
  try {
    model.validate();
  } catch (error) {
    yield String(error.message);
  }
  for (const path of unknown(manifest, "", seen)) yield "unknown field " + path;
}

let wrong = 0;
const counts = {};
for (const document of yaml.parseAllDocuments(fs.readFileSync(process.argv[2], "utf8"))) {
  for (const error of document.errors) {
    console.error("YAML: " + error.message);
    wrong++;
  }
  const manifest = document.toJS();
  if (!manifest) continue;
  counts[manifest.kind] = (counts[manifest.kind] || 0) + 1;
  for (const text of check(manifest)) {
    console.error(`${manifest.kind} ${manifest.metadata && manifest.metadata.name}: ${text}`);
    wrong++;
  }
}
console.log(Object.entries(counts).map(([kind, count]) => `${count} ${kind}`).join(", "));
process.exit(wrong || !Object.keys(counts).length ? 1 : 0);

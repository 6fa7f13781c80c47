"""Checks the manifests of Kubernetes and the compose files: schemas, and what moim relies on."""

import pathlib
import sys

import kubernetes_validate
import yaml

# The oldest with ports of both protocols on one load balancer, and the newest known here.
KUBERNETES = ["1.26", kubernetes_validate.latest_version()]
HERE = pathlib.Path(__file__).parent


class Loader(yaml.SafeLoader):
    """Refuses a key that is given twice, which YAML would let win."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=deep) for key, _ in node.value]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            raise yaml.YAMLError(f"{node.start_mark}: {twice} is there twice")
        return super().construct_mapping(node, deep)


def load(path):
    return yaml.load(path.read_text(), Loader)


def expect(value, wanted, what):
    if value != wanted:
        sys.exit(f"{what} is {value!r}, not {wanted!r}")


def kubernetes():
    folder = HERE / "kubernetes"
    kustomization = load(folder / "kustomization.yaml")
    resources = {}
    for name in kustomization["resources"]:
        resource = load(folder / name)
        for version in KUBERNETES:
            kubernetes_validate.validate(resource, version, strict=True)
        resources[resource["kind"]] = resource
    listed = set(kustomization["resources"]) | {"kustomization.yaml"}
    expect({path.name for path in folder.glob("*.yaml")}, listed, "the list of manifests")
    for generator in kustomization["configMapGenerator"]:
        for name in generator["files"]:
            (folder / name).read_text()

    stateful, service = resources["StatefulSet"]["spec"], resources["Service"]["spec"]
    expect(stateful["replicas"], 1, "replicas")
    pod = stateful["template"]
    expect(stateful["selector"]["matchLabels"], pod["metadata"]["labels"], "the set's selector")
    expect(service["selector"], pod["metadata"]["labels"], "the service's selector")
    expect(stateful["serviceName"], resources["Service"]["metadata"]["name"], "serviceName")
    (container,) = pod["spec"]["containers"]
    expect(container["image"], kustomization["images"][0]["name"], "image")
    expect(container["livenessProbe"]["httpGet"]["path"], "/livez", "liveness")
    expect(container["readinessProbe"]["httpGet"]["path"], "/readyz", "readiness")
    ports = {port["name"]: port for port in container["ports"]}
    public = set()
    for port in service["ports"]:
        target = ports[port["targetPort"]]
        expect(port["protocol"], target["protocol"], f"protocol of {port['name']}")
        public.add((port["port"], port["protocol"]))
    (number,) = {port for port, _ in public}
    expect(public, {(number, "TCP"), (number, "UDP")}, "the service's ports")
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    expect(mounts[stateful["volumeClaimTemplates"][0]["metadata"]["name"]], "/data", "the volume")
    (config,) = [volume for volume in pod["spec"]["volumes"] if "configMap" in volume]
    expect(config["configMap"]["name"], kustomization["configMapGenerator"][0]["name"], "config")
    expect(container["args"][2], f"{mounts[config['name']]}/moim.toml", "the configuration's path")
    expect(container["securityContext"]["readOnlyRootFilesystem"], True, "read-only root")
    expect(pod["spec"]["securityContext"]["runAsUser"], 65532, "user")


# Keys of a service in the Compose specification that these files use.
COMPOSE_KEYS = {
    "image", "network_mode", "user", "read_only", "cap_drop", "security_opt", "restart",
    "stop_grace_period", "environment", "volumes", "healthcheck", "ports",
}


def compose():
    files = sorted((HERE / "compose").glob("*.yaml"))
    expect([path.name for path in files], ["compose.yaml", "published-ports.yaml"], "compose files")
    for path in files:
        document = load(path)
        expect(set(document), {"services", "volumes"}, f"keys of {path.name}")
        (service,) = document["services"].values()
        expect(set(service) - COMPOSE_KEYS, set(), f"unknown keys of {path.name}")
        expect(service["user"], "65532:65532", "user")
        expect(service["read_only"], True, "read-only root")
        expect(service["healthcheck"]["test"], ["CMD", "/moim", "ctl", "ready"], "health check")
        volumes = [volume.split(":") for volume in service["volumes"]]
        expect(volumes, [[name, "/data"] for name in document["volumes"]], "volumes")
        if "ports" in service:
            protocols = {port.partition("/")[2] for port in service["ports"]}
            numbers = {port.partition("/")[0] for port in service["ports"]}
            expect(protocols, {"tcp", "udp"}, "protocols")
            expect(len(numbers), 1, "published ports")
            (number,) = numbers
            listen = service["environment"]["MOIM_LISTEN"]
            expect(number.split(":")[1], listen.rsplit(":", 1)[1], "the published port")
            expect("MOIM_ANNOUNCE" in service["environment"], True, "announced address")
        else:
            expect(service["network_mode"], "host", "network")


kubernetes()
compose()

#!/usr/bin/env python3
"""Measures what the chain costs: start to ready, idle memory, GetCallerIdentity (calls a second, the server's CPU per call), and
RunInstances to the metadata service answering inside. Starts a server of its own; needs root for the last figure.

  bench/chain.py [--binary target/release/daypass] [--calls 20000] [--connections 16] [--launches 10]

Figures depend on the machine: compare them on one machine only, and look at CPU per call first.
"""
import argparse, json, os, shutil, signal, statistics, subprocess, sys, tempfile, time

import boto3

from server import ask, connect, cpu, memory_mib, session as session_of, signed, start


def calls(port, message, number):
    connection = connect(port)
    for _ in range(number):
        ask(connection, message, "GetCallerIdentity")
    connection.close()


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--binary", default="target/release/daypass")
    arguments.add_argument("--port", type=int, default=4690)
    arguments.add_argument("--calls", type=int, default=20000)
    arguments.add_argument("--connections", type=int, default=16)
    arguments.add_argument("--launches", type=int, default=10)
    arguments = arguments.parse_args()
    folder = tempfile.mkdtemp(prefix="daypass-bench-")
    data, binary, result = f"{folder}/data", os.path.abspath(arguments.binary), {}
    os.environ["DAYPASS_DATA"] = data
    first, result["first_start_ms"] = start(binary, data, arguments.port)
    first.send_signal(signal.SIGTERM)
    first.wait()
    starts = []
    for _ in range(5):
        server, took = start(binary, data, arguments.port)
        starts.append(took)
        server.send_signal(signal.SIGTERM)
        server.wait()
    server, took = start(binary, data, arguments.port)
    result["first_start_ms"] = round(result["first_start_ms"] * 1000, 1)
    result["start_ms_median"] = round(statistics.median(starts + [took]) * 1000, 1)
    time.sleep(3)
    result["idle_memory_mib"] = round(memory_mib(server.pid), 1)
    began_cpu = cpu(server.pid)
    time.sleep(5)
    result["idle_cpu_percent"] = round((cpu(server.pid) - began_cpu) / 5 * 100, 2)
    endpoint = f"http://127.0.0.1:{arguments.port}"
    session = session_of(binary)
    message = signed(endpoint, session, "sts", "Action=GetCallerIdentity&Version=2011-06-15")
    calls(arguments.port, message, 500)
    each = arguments.calls // arguments.connections
    began, began_cpu = time.perf_counter(), cpu(server.pid)
    # Processes, so that the client's own lock does not set the pace.
    children = []
    for _ in range(arguments.connections):
        child = os.fork()
        if child == 0:
            calls(arguments.port, message, each)
            os._exit(0)
        children.append(child)
    if any(os.waitpid(child, 0)[1] for child in children):
        sys.exit("a caller failed")
    took, used = time.perf_counter() - began, cpu(server.pid) - began_cpu
    result["get_caller_identity_per_second"] = round(each * arguments.connections / took)
    result["get_caller_identity_cpu_us"] = round(used / (each * arguments.connections) * 1e6, 1)
    result["memory_after_calls_mib"] = round(memory_mib(server.pid), 1)
    if os.geteuid() == 0 and arguments.launches:
        client = dict(endpoint_url=endpoint, region_name=session["region"], aws_access_key_id=session["access_key_id"],
                      aws_secret_access_key=session["secret_access_key"], aws_session_token=session["session_token"])
        ec2, ssm = boto3.client("ec2", **client), boto3.client("ssm", **client)
        image = ssm.get_parameter(Name="/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64")["Parameter"]["Value"]
        took, ask = [], "curl -s -o /dev/null -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token"
        for _ in range(arguments.launches):
            began = time.perf_counter()
            instance = ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
            while subprocess.run([binary, "exec", instance, "--", "sh", "-c", ask], capture_output=True).returncode:
                pass
            took.append(time.perf_counter() - began)
            ec2.terminate_instances(InstanceIds=[instance])
        result["run_instances_to_imds_ms_median"] = round(statistics.median(took) * 1000)
        result["run_instances_to_imds_ms_max"] = round(max(took) * 1000)
        ec2.get_waiter("instance_terminated").wait(InstanceIds=[instance])
    server.send_signal(signal.SIGTERM)
    server.wait()
    shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(result, indent=2))


main()

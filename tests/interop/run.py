"""Runs the scenario with boto3 and prints what came of each step as JSON.

run.py SCENARIO reads the simulator's first line from standard input.
"""

import datetime
import json
import sys
import urllib.request

import boto3
import botocore.config
import botocore.exceptions

# Members that errors of the service have besides code and message.
MEMBERS = ["resourceId", "resourceType", "serviceCode", "quotaCode", "reason", "fieldList"]


def plain(value):
    """The value as JSON has it, with times in ISO 8601."""
    if isinstance(value, datetime.datetime):
        text = value.astimezone(datetime.timezone.utc).isoformat(timespec="milliseconds")
        return text.replace("+00:00", "Z")
    if isinstance(value, dict):
        return {name: plain(member) for name, member in value.items() if name != "ResponseMetadata"}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def filled(value, saved):
    """The value with what was saved in the place of ${name}."""
    if isinstance(value, dict):
        return {filled(name, saved): filled(member, saved) for name, member in value.items()}
    if isinstance(value, list):
        return [filled(item, saved) for item in value]
    if isinstance(value, str):
        for name, text in saved.items():
            value = value.replace("${" + name + "}", text)
    return value


def member(value, path):
    """The member at a path such as items.0.id."""
    for part in path.split("."):
        value = value[int(part)] if part.isdigit() else value[part]
    return value


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        scenario = json.load(file)
    ready = json.loads(sys.stdin.readline())
    clients = [
        boto3.client(
            "vpc-lattice",
            endpoint_url=ready["endpoint"],
            region_name=ready["region"],
            aws_access_key_id=account["access_key_id"],
            aws_secret_access_key=account["secret_access_key"],
            config=botocore.config.Config(retries={"total_max_attempts": 1}),
        )
        for account in ready["accounts"]
    ]
    methods = {operation: method for method, operation in clients[0].meta.method_to_api_mapping.items()}
    saved, results = {}, []
    for step in scenario:
        if "put" in step:
            request = urllib.request.Request(
                ready["endpoint"] + step["put"],
                data=json.dumps(filled(step["body"], saved)).encode(),
                method="PUT",
            )
            urllib.request.urlopen(request).close()
            results.append(None)
            continue
        call = getattr(clients[step.get("account", 0)], methods[step["operation"]])
        try:
            result = plain(call(**filled(step["input"], saved)))
        except botocore.exceptions.ClientError as error:
            answer = error.response
            result = {"error": answer["Error"]["Code"], "message": answer["Error"]["Message"]}
            result.update({name: answer[name] for name in MEMBERS if name in answer})
        results.append(result)
        for name, path in step.get("save", {}).items():
            saved[name] = member(result, path)
    json.dump(results, sys.stdout, indent=1, sort_keys=True)


main()

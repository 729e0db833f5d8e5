"""Compares what came of ceph/s3-tests with what is known: judge.py RESULTS KNOWN

A line of KNOWN is the name of a test, a tab, and why it fails; a name without brackets stands for all its cases. Ends with 1
where a test failed that is not there, or passed that is.
"""

import re
import sys

# A test belongs to the first area that its name, or one of its marks, fits.
AREAS = [
    ("signatures of version 2", r"aws2|_v2$"),
    ("IAM and STS", r"test_iam\.py|test_sts\.py"),
    ("notifications", r"test_sns\.py"),
    ("bucket logging", r"bucket_logging"),
    ("encryption", r"encrypt|sse_|_enc\[|_enc_|kms"),
    ("lifecycle and tiers", r"lifecycle|cloud_|restore|read_through|storage_class|delete_marker_expiration|transition"),
    ("object lock", r"object_lock"),
    ("conditional writes", r"conditional_write|ifmatch|ifnonmatch|ifnonematch|if_match"),
    ("checksums and attributes", r"checksum|object_attributes"),
    ("forms", r"post_object"),
    ("CORS", r"cors"),
    ("copies", r"copy"),
    ("multipart", r"multipart"),
    ("versions", r"version"),
    ("tags", r"tag"),
    ("policies", r"policy|block_public|ignore_public"),
    ("ownership", r"ownership"),
    ("ACLs and access", r"acl|access|anon|grant"),
    ("listing", r"list"),
    ("headers", r"test_headers\.py"),
]


def area(name, marks):
    text = f"{name},{marks}"
    return next((title for title, pattern in AREAS if re.search(pattern, text)), "the rest")


def main(results, known):
    explained = dict(line.rstrip("\n").split("\t")[:2] for line in open(known) if line.strip())
    worst = {}
    for line in open(results):
        outcome, name, marks, why = line.rstrip("\n").split("\t")
        # A test that passes, and whose teardown fails, fails.
        if name not in worst or outcome == "failed":
            worst[name] = (outcome, marks, why)
    counts, unexplained, for_a_reason = {}, [], {}
    for name, (outcome, marks, why) in sorted(worst.items()):
        reason = explained.get(name) or explained.get(name.split("[")[0])
        if outcome == "passed" and reason:
            unexplained.append(f"FAIL passes, but is explained as failing ({reason}): {name}")
        elif outcome == "failed" and not reason:
            unexplained.append(f"FAIL {name}: {why}")
        elif outcome == "failed":
            for_a_reason[reason] = for_a_reason.get(reason, 0) + 1
        row = counts.setdefault(area(name, marks), {"passed": 0, "failed": 0, "skipped": 0})
        row[outcome] += 1
    print("\n".join(unexplained))
    for title, row in sorted(counts.items()):
        print(f"{title:28} {row['passed']:4} pass {row['failed']:4} fail {row['skipped']:4} skipped")
    print("explained: " + ", ".join(f"{reason} {number}" for reason, number in sorted(for_a_reason.items())))
    total = {outcome: sum(row[outcome] for row in counts.values()) for outcome in ("passed", "failed", "skipped")}
    print(f"{sum(for_a_reason.values())} fail as docs/compatibility.md explains")
    print(f"{total['passed']} passed, {len(unexplained)} failed, {total['skipped']} skipped")
    return 1 if unexplained or not total["passed"] else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

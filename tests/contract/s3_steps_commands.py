"""What commands do at the S3 door: `python s3_steps_commands.py aws|rclone`."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

from s3_steps import ENDPOINT, KEY, LARGE, REGION, SECRET, WORK, fetch, step


def said(*words: str, code: int = 0, **env: str) -> str:
    """What a command says, on both its outputs where it fails."""
    done = subprocess.run(words, env={**os.environ, **env}, cwd=WORK, capture_output=True, text=True, timeout=60)
    assert (done.returncode != 0) == bool(code), (words, done.stdout[-500:], done.stderr[-2000:])
    return done.stdout + (done.stderr if code else "")


def aws(*words: str, code: int = 0) -> str:
    """The command's own program, in this process: it takes a second to start, each time."""
    from awscli.clidriver import create_clidriver

    out = io.TextIOWrapper(io.BytesIO(), "utf-8")
    with redirect_stdout(out), redirect_stderr(out):
        returned = create_clidriver().main(list(words))
    out.flush()
    text = out.buffer.getvalue().decode()
    assert (returned != 0) == bool(code), (words, text[-2000:])
    return text


def api(operation: str, *words: str, bucket: str = "lab-aws") -> dict[str, Any]:
    return json.loads(aws("s3api", operation, "--bucket", bucket, *words, "--output", "json") or "{}")


def aws_steps() -> None:
    os.chdir(WORK)
    (WORK / "tree/sub").mkdir(parents=True)
    for name in ("a.txt", "sub/b.txt"):
        (WORK / "tree" / name).write_text(name)
        os.utime(WORK / "tree" / name, (1e9, 1e9))  # older than the park's clock, which stands still in a test
    (WORK / "large").write_bytes(LARGE)
    with step("make bucket"):
        aws("s3", "mb", "s3://lab-aws")
    with step("list buckets"):
        assert "lab-aws" in aws("s3", "ls")
    with step("sync"):
        aws("s3", "sync", "tree", "s3://lab-aws/tree")
        assert aws("s3", "sync", "tree", "s3://lab-aws/tree") == ""
    with step("list by folder"):
        assert "PRE tree/" in aws("s3", "ls", "s3://lab-aws")
    with step("list"):
        assert aws("s3", "ls", "s3://lab-aws", "--recursive").count("tree/") == 2
    with step("put in parts"):
        aws("s3", "cp", "large", "s3://lab-aws/large", "--quiet")
    with step("get large"):
        aws("s3", "cp", "s3://lab-aws/large", "back", "--quiet")
        assert (WORK / "back").read_bytes() == LARGE
    with step("get"):
        assert aws("s3", "cp", "s3://lab-aws/tree/a.txt", "-") == "a.txt"
    with step("move"):
        aws("s3", "mv", "s3://lab-aws/tree/a.txt", "s3://lab-aws/tree/c.txt")
    with step("put"):
        made = api(
            "put-object", "--key", "o", "--body", "tree/a.txt", "--metadata", "one=1", "--checksum-algorithm", "SHA256"
        )
        assert made["ChecksumSHA256"]
    with step("metadata"):
        assert api("head-object", "--key", "o")["Metadata"] == {"one": "1"}
    with step("put if absent"):
        complaint = aws("s3api", "put-object", "--bucket", "lab-aws", "--key", "o", "--if-none-match", "*", code=1)
        assert "PreconditionFailed" in complaint
    with step("versions"):
        api("put-bucket-versioning", "--versioning-configuration", "Status=Enabled")
        assert len(api("list-object-versions", "--prefix", "o")["Versions"]) == 1
    with step("missing key"):
        assert "(404)" in aws("s3", "cp", "s3://lab-aws/none", "-", code=1)
    with step("presigned get"):
        assert fetch(aws("s3", "presign", "s3://lab-aws/tree/c.txt").strip()) == b"a.txt"
    with step("delete many"):
        aws("s3", "rm", "s3://lab-aws", "--recursive", "--quiet")
    with step("others' bucket"):
        assert "NoSuchBucket" in aws("s3", "ls", "s3://desk-theirs", code=1)
    with step("wrong key"):
        os.environ["AWS_SECRET_ACCESS_KEY"] = "x"
        assert "SignatureDoesNotMatch" in aws("s3", "ls", code=1)


def rclone(*words: str, code: int = 0, **env: str) -> str:
    given = {
        "PARK_TYPE": "s3", "PARK_PROVIDER": "Other", "PARK_ENDPOINT": ENDPOINT, "PARK_ACCESS_KEY_ID": KEY,
        "PARK_SECRET_ACCESS_KEY": SECRET, "PARK_REGION": REGION,
    }  # fmt: skip
    known = {f"RCLONE_CONFIG_{name}": text for name, text in given.items()}
    return said("rclone", "--config", "", "--retries", "1", *words, code=code, **{**known, **env})


def rclone_steps() -> None:
    (WORK / "tree/sub dir").mkdir(parents=True)
    for name in ("a.txt", "sub dir/b é+.txt"):
        (WORK / "tree" / name).write_text(name)
    (WORK / "large").write_bytes(LARGE)
    with step("make bucket"):
        rclone("mkdir", "park:lab-rclone")
    with step("list buckets"):
        assert "lab-rclone" in rclone("lsd", "park:")
    with step("sync"):
        rclone("sync", "tree", "park:lab-rclone/tree")
        rclone("check", "tree", "park:lab-rclone/tree")
    with step("odd keys"):
        assert "b é+.txt" in rclone("lsf", "-R", "park:lab-rclone/tree")
    with step("list by folder"):
        assert rclone("lsf", "park:lab-rclone") == "tree/\n"
    with step("list"):
        assert len(json.loads(rclone("lsjson", "-R", "--files-only", "park:lab-rclone"))) == 2
    with step("list pages"):
        assert len(rclone("lsf", "-R", "--files-only", "--s3-list-chunk", "1", "park:lab-rclone").splitlines()) == 2
    with step("put"):
        rclone("copyto", "tree/a.txt", "park:lab-rclone/a.txt")
    with step("put in parts"):
        rclone("copyto", "--s3-upload-cutoff", "5M", "--s3-chunk-size", "5M", "large", "park:lab-rclone/large")
    with step("get large"):
        rclone("copyto", "park:lab-rclone/large", "back")
        assert (WORK / "back").read_bytes() == LARGE
    with step("get"):
        assert rclone("cat", "park:lab-rclone/a.txt") == "a.txt"
    with step("get range"):
        assert rclone("cat", "--offset", "2", "--count", "2", "park:lab-rclone/a.txt") == "tx"
    with step("copy"):
        rclone("copyto", "park:lab-rclone/a.txt", "park:lab-rclone/b.txt")
    with step("copy in parts"):
        rclone("copyto", "--s3-copy-cutoff", "5M", "park:lab-rclone/large", "park:lab-rclone/large2")
        rclone("check", "--one-way", "--download", "park:lab-rclone", "park:lab-rclone", "--include", "large*")
    with step("move"):
        rclone("moveto", "park:lab-rclone/b.txt", "park:lab-rclone/c.txt")
    with step("metadata"):
        times = json.loads(rclone("lsjson", "park:lab-rclone/c.txt"))
        assert times[0]["ModTime"][:10]
    with step("presigned get"):
        assert fetch(rclone("link", "--expire", "60s", "park:lab-rclone/a.txt").strip()) == b"a.txt"
    with step("list uploads"):
        rclone("cleanup", "park:lab-rclone")
    with step("delete"):
        rclone("deletefile", "park:lab-rclone/a.txt")
    with step("delete many"):
        rclone("purge", "park:lab-rclone")
    with step("wrong key"):
        assert "SignatureDoesNotMatch" in rclone("lsd", "park:", RCLONE_CONFIG_PARK_SECRET_ACCESS_KEY="x", code=1)
    with step("others' bucket"):
        assert "not found" in rclone("lsf", "park:desk-theirs", code=1)


if __name__ == "__main__":
    {"aws": aws_steps, "rclone": rclone_steps}[sys.argv[1]]()

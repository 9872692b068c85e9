"""The certificate of an erasure: what was erased where, what is kept on which basis; signed."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from kernel.pure.signing import Signer
from privacy.domain.erasure import Erasure

PURPOSE = "crm-erasure-certificate"
# So long backups of the keys, and files that were brought or made before, may outlive an erasure.
HORIZON = timedelta(days=7)


def certificate(erasure: Erasure, signer: Signer) -> str:
    """The document of a closed erasure, as JSON; what is signed is its member "certificate", with sorted
    keys and without spaces."""
    assert erasure.closed_at is not None
    content: dict[str, Any] = {
        "request": str(erasure.id),
        "subjects": [str(one) for one in erasure.subject_ids],
        "received": erasure.received_at.isoformat(),
        "closed": erasure.closed_at.isoformat(),
        "outcome": erasure.outcome,
        # Until then a backup of the keys, or a file imported or exported before, may still be readable.
        "unreadable_everywhere": (erasure.closed_at + HORIZON).isoformat(),
        "services": {
            name: {
                "erased": dict(sorted(task.counts.items())),
                "kept": [
                    {"basis": one.basis, "until": one.until.isoformat(), "rows": one.rows}
                    for one in task.retained
                ],
            }
            for name, task in sorted(erasure.tasks.items())
        },
    }
    signed = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    document = {
        "certificate": content,
        "key_id": signer.key_id,
        "public_key": signer.public.hex(),
        "signature": signer.sign(signed.encode()).hex(),
    }
    return json.dumps(document, ensure_ascii=False, indent=1)


def text_zh(erasure: Erasure) -> str:
    """For the person, in Chinese."""
    assert erasure.closed_at is not None
    lines = [
        f"个人信息删除证明（请求编号 {erasure.id}）",
        f"收到请求：{erasure.received_at:%Y-%m-%d %H:%M} UTC　完成：{erasure.closed_at:%Y-%m-%d %H:%M} UTC",
        "您的个人信息已从以下系统中删除，其加密密钥已被销毁，并经复核未发现残留：",
        *(f"　{name}：{sum(task.counts.values())} 条" for name, task in sorted(erasure.tasks.items())),
    ]
    kept = [
        f"　{name}：依据 {one.basis} 保留 {one.rows} 条至 {one.until}"
        for name, task in sorted(erasure.tasks.items())
        for one in task.retained
    ]
    lines.append(
        f"密钥备份以及此前导入或导出的文件最迟于 {erasure.closed_at + HORIZON:%Y-%m-%d %H:%M} UTC 销毁；"
        "已从系统下载的副本不在本证明范围内。"
    )
    if kept:
        lines += ["依照法律规定，以下记录在期限届满前仅予保存，不作其他使用：", *kept]
    return "\n".join(lines)


def text_en(erasure: Erasure) -> str:
    """For the person, in English."""
    assert erasure.closed_at is not None
    lines = [
        f"Certificate of erasure (request {erasure.id})",
        f"Received {erasure.received_at:%Y-%m-%d %H:%M} UTC, closed {erasure.closed_at:%Y-%m-%d %H:%M} UTC",
        "Your personal data was erased here and its keys destroyed; asked again, nothing was found:",
        *(f"  {name}: {sum(task.counts.values())} records" for name, task in sorted(erasure.tasks.items())),
    ]
    kept = [
        f"  {name}: {one.rows} records, on the basis {one.basis}, until {one.until}"
        for name, task in sorted(erasure.tasks.items())
        for one in task.retained
    ]
    lines.append(
        "Backups of keys, and files imported or exported before, are destroyed by"
        f" {erasure.closed_at + HORIZON:%Y-%m-%d %H:%M} UTC; copies downloaded from the system before are not"
        " reached by this."
    )
    if kept:
        lines += ["As the law commands, these are kept until their day, and not used:", *kept]
    return "\n".join(lines)

"""Completion for PowerShell: a completer of its own that asks the command as the other shells do."""

from __future__ import annotations

import os
from typing import Final

from click.shell_completion import CompletionItem, ShellComplete, add_completion_class

from eureka_park.cli.complete import quoted

_SCRIPT: Final = """\
Register-ArgumentCompleter -Native -CommandName %(prog_name)s, eureka-%(prog_name)s -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements |
        Where-Object { $_.Extent.StartOffset -lt $cursorPosition } |
        ForEach-Object { if ($null -ne $_.Value) { $_.Value } else { $_.Extent.Text } })
    $kept = @($env:%(complete_var)s, $env:COMP_WORDS, $env:COMP_CWORD)
    $env:%(complete_var)s = 'powershell_complete'
    $env:COMP_WORDS = $words -join "`n"
    $env:COMP_CWORD = $wordToComplete
    try {
        & $commandAst.CommandElements[0].Extent.Text 2>$null | ForEach-Object {
            $kind, $value, $help = $_ -split "`t", 3
            if ($kind -eq 'plain') {
                [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $help)
            }
        }
    } finally {
        $env:%(complete_var)s, $env:COMP_WORDS, $env:COMP_CWORD = $kept
    }
}
"""


class PowerShellComplete(ShellComplete):
    """Speaks with the script above: words one a line in COMP_WORDS, the unfinished one in COMP_CWORD."""

    name = "powershell"
    source_template = _SCRIPT

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the unfinished one, and that one."""
        words, incomplete = os.environ.get("COMP_WORDS", "").split("\n")[1:], os.environ.get("COMP_CWORD", "")
        unquoted = incomplete.strip("'\"")
        if incomplete and words and words[-1] in (incomplete, unquoted):
            words.pop()
        return words, unquoted

    def format_completion(self, item: CompletionItem) -> str:
        """Kind, value and help with tabs between; PowerShell wants some help for each, and completes files itself."""
        help_ = " ".join((item.help or "").split()) or item.value
        return f"{item.type}\t{quoted(item.value)}\t{help_}"


add_completion_class(PowerShellComplete)

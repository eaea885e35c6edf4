"""python -m vqcodec_cli is the vqcodec command."""

from vqcodec_cli.main import main

raise SystemExit(main())

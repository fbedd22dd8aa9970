"""Networks from elsewhere: modules in Python files, torch.export programs, ONNX files."""

//! Amazon EC2: instances and what they stand on

"""Money that goes back to buyers: found in Amazon's money events and in settlements, credited in Sage."""
